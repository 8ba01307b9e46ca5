-- Acknowledges messages and offers their events for routing. KEYS: stream, ready queue.
-- ARGV: group, number of message ids, message ids..., hints...
local ids, hints = {}, {}
for i = 3, #ARGV do
  if i < 3 + tonumber(ARGV[2]) then ids[#ids + 1] = ARGV[i] else hints[#hints + 1] = ARGV[i] end
end
if #hints > 0 then redis.call('RPUSH', KEYS[2], unpack(hints)) end
return redis.call('XACK', KEYS[1], ARGV[1], unpack(ids))
