-- KEYS: trigger table, trigger index. ARGV: event name. Answers the triggers of that event as JSON texts.
return triggers_of(KEYS[1], KEYS[2], ARGV[1])
