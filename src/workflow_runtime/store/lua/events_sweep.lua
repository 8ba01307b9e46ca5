-- Finds events whose time has come and puts off the next look at them. KEYS: open. ARGV: limit, grace ms.
-- Answers {open events, event id...}.
local now = now_ms()
local answer = {redis.call('ZCARD', KEYS[1])}
for _, event_id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])) do
  redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), event_id)
  answer[#answer + 1] = event_id
end
return answer
