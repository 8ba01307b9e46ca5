-- Reads new messages for the one reader. KEYS: stream, reader, ready queue.
-- ARGV: group, consumer, lease ms, most messages, most bytes, most hints in the ready queue.
-- Answers {standby, ms until the lease ends} | {recover}: handle what is pending first | {full}
-- | {empty, id of the last message delivered} | {messages, message...}.
local STREAM, READER, READY = KEYS[1], KEYS[2], KEYS[3]
local group, consumer = ARGV[1], ARGV[2]
local role = reader(READER, consumer, ARGV[3])
if not role then return {'standby', redis.call('PTTL', READER)} end
local pending = redis.call('XPENDING', STREAM, group, '-', '+', 1)
if role == 'taken' or #pending > 0 then return {'recover'} end
if redis.call('LLEN', READY) >= tonumber(ARGV[6]) then return {'full'} end

local answer, bytes = {'messages'}, 0
while #answer <= tonumber(ARGV[4]) and bytes < tonumber(ARGV[5]) do
  local read = redis.call('XREADGROUP', 'GROUP', group, consumer, 'COUNT', 1, 'STREAMS', STREAM, '>')
  if not read then break end
  local message = read[1][2][1]
  answer[#answer + 1] = message
  for _, part in ipairs(message[2]) do bytes = bytes + #part end
end
if #answer > 1 then return answer end
for _, row in ipairs(redis.call('XINFO', 'GROUPS', STREAM)) do
  if row[2] == group then return {'empty', row[8]} end
end
