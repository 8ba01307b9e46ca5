-- Gives an event another round: its failed targets, or its first pass when that was given up as poison.
-- KEYS: event, open, lanes, leases, audit stream.
-- ARGV: event id, longest audit, note (JSON without its targets), then target id, state as read, state to store for each.
-- Answers 'busy' while somebody holds the event, otherwise the ids of what was reopened, 'plan' for the first pass.
local EVENT, OPEN, LANES, LEASES, AUDIT = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local event_id, now = ARGV[1], now_ms()
if holder(LEASES, event_id, now) then return 'busy' end

local reopened = {}
for i = 4, #ARGV, 3 do
  if redis.call('HGET', EVENT, 't:' .. ARGV[i]) == ARGV[i + 1] then
    redis.call('HSET', EVENT, 't:' .. ARGV[i], ARGV[i + 2])
    reopened[#reopened + 1] = ARGV[i]
  end
end
local status, reason, seq, lanes = unpack(redis.call('HMGET', EVENT, 'status', 'reason', 'seq', 'lanes'))
local unplanned = #ARGV == 3 and status == 'DONE' and string.sub(reason, 1, 7) == 'poison:'
if unplanned then
  redis.call('HDEL', EVENT, 'considered')
  enter_all(LANES, cjson.decode(lanes), seq, event_id)
  reopened[1] = 'plan'
end
if #reopened == 0 then return reopened end
for _, field in ipairs(redis.call('HKEYS', EVENT)) do
  if string.sub(field, 1, 2) == 'p:' then redis.call('HDEL', EVENT, field) end
end

redis.call('HDEL', LEASES, event_id)
redis.call('HSET', EVENT, 'status', unplanned and 'RECEIVED' or 'ROUTED', 'reason', '')
redis.call('PERSIST', EVENT)
redis.call('ZADD', OPEN, now, event_id)
local note = cjson.decode(ARGV[3])
note.targets = reopened
local number = redis.call('HINCRBY', EVENT, 'retries', 1)
redis.call('HSET', EVENT, 'r:' .. string.format('%06d', number), cjson.encode(note))
redis.call('XADD', AUDIT, 'MAXLEN', '~', ARGV[2], '*', 'event', event_id, 'note', cjson.encode(note))
return reopened
