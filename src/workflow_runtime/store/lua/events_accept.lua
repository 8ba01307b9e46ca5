-- Records events of one tenant once each, in this order, and takes those for routing that come with a token and may be routed
-- now. KEYS: sequence, open, lanes, log, leases, waits, wait index, trigger table, trigger index, then for each event its own
-- key and every set in which late waits look for it. ARGV: retention ms, grace ms before the sweep looks, lease ms, then for
-- each event: event id, token ('' leaves it to others), number of those sets, record, wait prefixes (JSON list), lanes (JSON
-- list). Answers for each event {known, accepted ms, sequence} | {blocked, ...} | {runnable, ...} | {claimed, ..., waits,
-- triggers}, as events_claim.lua answers them.
local SEQUENCE, OPEN, LANES, LOG, LEASES, WAITS, INDEX, TRIGGERS, BY_EVENT = unpack(KEYS, 1, 9)
local LONG = 4 * 1024 * 1024
local retention, grace, lease, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), now_ms()
local oldest, at, told, answers, trimmed = '(' .. string.format('%d', now - retention), 10, 0, {}, {}

local function trim(set)
  if trimmed[set] then return end
  trimmed[set] = true
  redis.call('ZREMRANGEBYSCORE', set, '-inf', oldest)
  redis.call('PEXPIRE', set, retention)
end

local function take(event, event_id, token, seq, prefixes)
  hold(LEASES, OPEN, event_id, token, now + lease)
  under_way(event, token, {'plan'})
  local waits, bytes = waits_under(WAITS, INDEX, prefixes)
  told = told + bytes
  return {'claimed', now, seq, waits, triggers_of(TRIGGERS, BY_EVENT, event_name(prefixes))}
end

local function accept(event, event_id, token, sets, record, prefixes, lanes)
  local known = redis.call('HMGET', event, 'accepted', 'seq')
  if known[1] then return {'known', tonumber(known[1]), tonumber(known[2])} end
  local seq, names = redis.call('INCR', SEQUENCE), cjson.decode(lanes)
  redis.call('HSET', event, 'status', 'RECEIVED', 'record', record, 'prefixes', prefixes, 'lanes', lanes,
    'accepted', now, 'seq', seq)
  enter_all(LANES, names, seq, event_id)
  redis.call('ZADD', LOG, now, ordered(seq, event_id))
  for _, set in ipairs(sets) do
    redis.call('ZADD', set, now, ordered(seq, event_id))
    trim(set)
  end
  local runnable = heads_all(LANES, names, event_id)
  if runnable and token ~= '' and told < LONG then return take(event, event_id, token, seq, cjson.decode(prefixes)) end
  redis.call('ZADD', OPEN, runnable and now + grace or 'inf', event_id)
  return {runnable and 'runnable' or 'blocked', now, seq}
end

for i = 4, #ARGV, 6 do
  local sets = {}
  for j = 1, tonumber(ARGV[i + 2]) do sets[j] = KEYS[at + j] end
  answers[#answers + 1] = accept(KEYS[at], ARGV[i], ARGV[i + 1], sets, ARGV[i + 3], ARGV[i + 4], ARGV[i + 5])
  at = at + 1 + #sets
end
redis.call('ZREMRANGEBYSCORE', LOG, '-inf', oldest)
return answers
