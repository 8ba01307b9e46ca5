-- Takes an event for routing. KEYS: event, open, lanes, leases, waits, wait index. ARGV: event id, token, lease ms.
-- Answers {missing | done | leased | blocked} or {claimed, now ms, event fields, waits that may match}; the waits only
-- before the first plan. 'begun' in the fields is what stood there before this call.
local EVENT, OPEN, LANES, LEASES, WAITS, INDEX = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local event_id, token, now = ARGV[1], ARGV[2], now_ms()

local fields = redis.call('HGETALL', EVENT)
if #fields == 0 then
  redis.call('ZREM', OPEN, event_id)
  redis.call('HDEL', LEASES, event_id)
  return {'missing'}
end
local event = {}
for i = 1, #fields, 2 do event[fields[i]] = fields[i + 1] end
if event.status == 'DONE' then return {'done'} end
local other = holder(LEASES, event_id, now)
if other and other ~= token then return {'leased'} end
if event.status == 'RECEIVED' and not heads_all(LANES, cjson.decode(event.lanes), event_id) then
  redis.call('ZADD', OPEN, 'inf', event_id)
  return {'blocked'}
end

hold(LEASES, OPEN, event_id, token, now + tonumber(ARGV[3]))
redis.call('HSETNX', EVENT, 'begun', 1)
local waits = {}
if not event.considered then
  for _, prefix in ipairs(cjson.decode(event.prefixes)) do
    for _, member in ipairs(redis.call('ZRANGEBYLEX', INDEX, '[' .. prefix .. '|', '(' .. prefix .. '}')) do
      local wait = redis.call('HGET', WAITS, string.match(member, '([^|]+)$'))
      if wait then waits[#waits + 1] = wait end
    end
  end
end
return {'claimed', now, fields, waits}
