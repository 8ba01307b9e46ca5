-- Keeps or gives up a claim. KEYS: open, leases. ARGV: event id, token, lease ms (0 gives the event up at once).
-- Answers 1, or 0 when the claim is no longer this token's.
local event_id, now, length = ARGV[1], now_ms(), tonumber(ARGV[3])
if holder(KEYS[2], event_id, now) ~= ARGV[2] then return 0 end
if length == 0 then
  redis.call('HDEL', KEYS[2], event_id)
  redis.call('ZADD', KEYS[1], now, event_id)
else
  hold(KEYS[2], KEYS[1], event_id, ARGV[2], now + length)
end
return 1
