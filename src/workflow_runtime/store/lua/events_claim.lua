-- Takes events for routing. KEYS: open, lanes, leases, waits, wait index, trigger table, trigger index, then each event.
-- Each: {id, token, lease}, the last in ms. Answers {state}: missing, done, leased, blocked, or again when the answer has
-- become long; or {state = claimed, now, fields, waits, triggers}: ms, names and values of the event in turn, and, only
-- before the first plan, the waits that may match and the triggers of its name. The fields are those that
-- stood there before.
local OPEN, LANES, LEASES, WAITS, INDEX, TRIGGERS, BY_EVENT = unpack(KEYS, 1, 7)
local LONG = 4 * 1024 * 1024
local now, told = now_ms(), 0

local function suspected(event, token)
  for name in pairs(event) do
    if string.sub(name, 1, 2) == 'p:' and name ~= 'p:' .. token then return true end
  end
  return false
end

return each(7, function(EVENT, wanted)
  local fields = redis.call('HGETALL', EVENT)
  if #fields == 0 then
    redis.call('ZREM', OPEN, wanted.id)
    redis.call('HDEL', LEASES, wanted.id)
    return {state = 'missing'}
  end
  if told > LONG then return {state = 'again'} end
  local event = {}
  for i = 1, #fields, 2 do event[fields[i]] = fields[i + 1] end
  if event.status == 'DONE' then return {state = 'done'} end
  local other = holder(LEASES, wanted.id, now)
  if other and other ~= wanted.token then return {state = 'leased'} end
  if event.status == 'RECEIVED' and not heads_all(LANES, cjson.decode(event.lanes), wanted.id) then
    redis.call('ZADD', OPEN, 'inf', wanted.id)
    return {state = 'blocked'}
  end

  hold(LEASES, OPEN, wanted.id, wanted.token, now + wanted.lease)
  told = told + #event.record
  local answer = {state = 'claimed', now = now, fields = fields}
  if not event.considered then
    -- An event that is suspected is planned when it is alone, and noted by whoever does so then.
    if not suspected(event, wanted.token) then under_way(EVENT, wanted.token, {'plan'}) end
    local prefixes = cjson.decode(event.prefixes)
    local bytes
    answer.waits, bytes = waits_under(WAITS, INDEX, prefixes)
    told = told + bytes
    answer.triggers = triggers_of(TRIGGERS, BY_EVENT, event_name(prefixes))
  end
  return answer
end)
