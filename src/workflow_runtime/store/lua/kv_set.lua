-- ARGV: …, value JSON, now, ttl ms or '', expected revision or '', value type or ''.
-- Answers {'set', revision, 1 when the key is new} or {'moved', revision}.
local before = answer_of_before()
if before then return before end
local old = revision()
if ARGV[7] ~= '' and old ~= tonumber(ARGV[7]) then return {'moved', old} end
redis.call('HDEL', ENTRY, 'valueType', 'expiresMs')
local new = enter(ARGV[4], ARGV[5])
if ARGV[8] ~= '' then redis.call('HSET', ENTRY, 'valueType', ARGV[8]) end
if ARGV[6] ~= '' then
  expire_in(ARGV[6])
else
  redis.call('PERSIST', ENTRY)
  redis.call('ZREM', EXPIRY, EXPIRING)
end
return remember({'set', new, old == 0 and 1 or 0})
