-- Takes one pending message, whoever left it, counting the delivery. KEYS: stream, reader, presence, from whom this message
-- was taken. ARGV: group, consumer, lease ms, message id, ms after which a silent consumer is dead, most deliveries.
-- Answers {standby} | {gone}: acknowledged or deleted meanwhile | {message, deliveries, those of them that nobody outlived,
-- message} | {doubt}: so many deliveries that it matters whether consumers which are silent now are dead; ask again.
local STREAM, READER, PRESENCE, FROM = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local group, consumer, id, silence, most = ARGV[1], ARGV[2], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
local time, KEEP_MS = redis.call('TIME'), 24 * 60 * 60 * 1000
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if not reader(READER, consumer, ARGV[3]) then return {'standby'} end
local pending = redis.call('XPENDING', STREAM, group, id, id, 1)[1]
if not pending then return {'gone'} end
local owner, deliveries = pending[2], pending[4]

if owner ~= consumer then
  -- Stored as how often|when last, in ms.
  local before = redis.call('HGET', FROM, owner) or '0|0'
  redis.call('HSET', FROM, owner, string.format('%d|%d', tonumber(string.match(before, '^%d+')) + 1, now))
  redis.call('PEXPIRE', FROM, KEEP_MS)
  redis.call('XCLAIM', STREAM, group, consumer, 0, id, 'RETRYCOUNT', deliveries, 'JUSTID')
end

-- Who was heard of after the message was taken away has outlived it; who is silent since then may be dead or slow.
local outlived, doubtful, from = 0, 0, redis.call('HGETALL', FROM)
for i = 1, #from, 2 do
  local times, taken = string.match(from[i + 1], '^(%d+)|(%d+)$')
  local beat = tonumber(redis.call('ZSCORE', PRESENCE, from[i]) or 0)
  if beat > tonumber(taken) then
    outlived = outlived + tonumber(times)
  elseif now - beat <= silence then
    doubtful = doubtful + tonumber(times)
  end
end
local blamed = deliveries - outlived - doubtful
if blamed < most and blamed + doubtful >= most then return {'doubt'} end

local claimed = redis.call('XCLAIM', STREAM, group, consumer, 0, id)[1]
if not claimed then
  redis.call('XACK', STREAM, group, id)
  return {'gone'}
end
return {'message', deliveries + 1, blamed, claimed}
