-- Forgets a wait; notes on the event that resolved it, if one did and it is still recorded, who took it.
-- KEYS: waits, wait index, run's waits, event. ARGV: wait id, index member, note (JSON, '' without an event).
-- Answers 1, or 0 when the wait was not registered.
local removed = redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[2])
redis.call('SREM', KEYS[3], ARGV[1])
if ARGV[3] ~= '' and redis.call('EXISTS', KEYS[4]) == 1 then
  -- An event that nobody wanted when it was routed has found its wait now.
  redis.call('HSET', KEYS[4], 'c:' .. ARGV[1], ARGV[3], 'reason', '')
end
return removed
