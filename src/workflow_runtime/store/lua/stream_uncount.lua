-- Takes back the counting of deliveries that Redis itself prevented. KEYS: stream, reader. ARGV: group, consumer, then
-- message id and its deliveries. Answers how many were taken back; none once another consumer reads.
if redis.call('GET', KEYS[2]) ~= ARGV[2] then return 0 end
local done = 0
for i = 3, #ARGV, 2 do
  local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1)[1]
  if pending and pending[4] == tonumber(ARGV[i + 1]) then
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'RETRYCOUNT', pending[4] - 1, 'JUSTID')
    done = done + 1
  end
end
return done
