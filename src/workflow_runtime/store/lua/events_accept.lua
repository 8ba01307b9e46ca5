-- Records events of one tenant once each, in this order. KEYS: sequence, open, lanes, log, then for each event its own key
-- and every set in which late waits look for it. ARGV: retention ms, grace ms before the sweep looks, then for each event:
-- event id, number of those sets, record, wait prefixes (JSON list), lanes (JSON list).
-- Answers for each event {1 | 0 when known, accepted ms, sequence, 1 when it can be routed now}.
local SEQUENCE, OPEN, LANES, LOG = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local retention, grace, now = tonumber(ARGV[1]), tonumber(ARGV[2]), now_ms()
local oldest, at, answers, trimmed = '(' .. string.format('%d', now - retention), 5, {}, {}

local function trim(set)
  if trimmed[set] then return end
  trimmed[set] = true
  redis.call('ZREMRANGEBYSCORE', set, '-inf', oldest)
  redis.call('PEXPIRE', set, retention)
end

local function accept(event, event_id, sets, record, prefixes, lanes)
  local known = redis.call('HMGET', event, 'accepted', 'seq')
  if known[1] then return {0, tonumber(known[1]), tonumber(known[2]), 0} end
  local seq, names = redis.call('INCR', SEQUENCE), cjson.decode(lanes)
  redis.call('HSET', event, 'status', 'RECEIVED', 'record', record, 'prefixes', prefixes, 'lanes', lanes,
    'accepted', now, 'seq', seq)
  enter_all(LANES, names, seq, event_id)
  local runnable = heads_all(LANES, names, event_id)
  redis.call('ZADD', OPEN, runnable and now + grace or 'inf', event_id)
  redis.call('ZADD', LOG, now, ordered(seq, event_id))
  for _, set in ipairs(sets) do
    redis.call('ZADD', set, now, ordered(seq, event_id))
    trim(set)
  end
  return {1, now, seq, runnable and 1 or 0}
end

for i = 3, #ARGV, 5 do
  local sets = {}
  for j = 1, tonumber(ARGV[i + 1]) do sets[j] = KEYS[at + j] end
  answers[#answers + 1] = accept(KEYS[at], ARGV[i], sets, ARGV[i + 2], ARGV[i + 3], ARGV[i + 4])
  at = at + 1 + #sets
end
redis.call('ZREMRANGEBYSCORE', LOG, '-inf', oldest)
return answers
