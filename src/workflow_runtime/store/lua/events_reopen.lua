-- Gives failed targets of a finished event another round. KEYS: event, open.
-- ARGV: event id, then target id, state as read, state to store for each. Answers how many were reopened.
local changed = 0
for i = 2, #ARGV, 3 do
  if redis.call('HGET', KEYS[1], 't:' .. ARGV[i]) == ARGV[i + 1] then
    redis.call('HSET', KEYS[1], 't:' .. ARGV[i], ARGV[i + 2])
    changed = changed + 1
  end
end
if changed > 0 then
  redis.call('HSET', KEYS[1], 'status', 'ROUTED', 'reason', '')
  redis.call('PERSIST', KEYS[1])
  redis.call('ZADD', KEYS[2], now_ms(), ARGV[1])
end
return changed
