-- KEYS: trigger table, trigger index. ARGV: event name. Answers the triggers of that event as JSON texts.
local from = ARGV[1] .. '\n'
local found = {}
for _, entry in ipairs(redis.call('ZRANGE', KEYS[2], '[' .. from, '[' .. from .. '\255', 'BYLEX')) do
  local trigger = redis.call('HGET', KEYS[1], string.sub(entry, #from + 1))
  if trigger then found[#found + 1] = trigger end
end
return found
