-- Takes one pending message, whoever left it, counting the delivery. KEYS: stream, reader.
-- ARGV: group, consumer, lease ms, message id.
-- Answers {standby} | {gone}: acknowledged or deleted meanwhile | {message, deliveries, message}.
if not reader(KEYS[2], ARGV[2], ARGV[3]) then return {'standby'} end
local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[4], ARGV[4], 1)[1]
if not pending then return {'gone'} end
local claimed = redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[4])[1]
if not claimed then
  redis.call('XACK', KEYS[1], ARGV[1], ARGV[4])
  return {'gone'}
end
return {'message', pending[4] + 1, claimed}
