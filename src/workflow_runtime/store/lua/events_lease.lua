-- Keeps or gives up claims of one tenant. KEYS: open, leases, then the event of each claim. ARGV: lease ms (0 gives the
-- events up at once, and with them what their passes were trying), then event id and token of each claim. Answers for each 1, or 0 when the claim is another's now.
local now, length, answers = now_ms(), tonumber(ARGV[1]), {}
for i = 2, #ARGV, 2 do
  local event_id, token = ARGV[i], ARGV[i + 1]
  local mine = stands(KEYS[2], event_id, token)
  if length == 0 then over(KEYS[2 + i / 2], token) end
  if mine and length == 0 then
    redis.call('HDEL', KEYS[2], event_id)
    redis.call('ZADD', KEYS[1], now, event_id)
  elseif mine then
    hold(KEYS[2], KEYS[1], event_id, token, now + length)
  end
  answers[#answers + 1] = mine and 1 or 0
end
return answers
