-- KEYS: task, then every index. ARGV: index member.
for at = 2, #KEYS do redis.call('ZREM', KEYS[at], ARGV[1]) end
return redis.call('UNLINK', KEYS[1])
