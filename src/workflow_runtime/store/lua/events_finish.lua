-- Ends passes over events. KEYS: open, lanes, leases, then each event. Each: {id, token, retention, considered ('' when it
-- stands already), reason, targets}, the targets being those that were open when the pass began, as {id, state, final,
-- behind, due, lanes}; retention and due are in ms.
-- Answers {state = stale} or {state = ok, status = DONE | ROUTED, runnable}: ids of events that may go on now.
local OPEN, LANES, LEASES = KEYS[1], KEYS[2], KEYS[3]
local now = now_ms()

local function store_targets(EVENT, pass, seq, left)
  local open = {}
  for _, target in ipairs(pass.targets) do
    redis.call('HSET', EVENT, 't:' .. target.id, target.state)
    if target.final then
      for _, lane in ipairs(leave_all(LANES, target.lanes, seq, pass.id)) do left[#left + 1] = lane end
    else
      enter_all(LANES, target.lanes, seq, pass.id)
      open[#open + 1] = target
    end
  end
  return open
end

local function earliest(targets, event_id)
  local due = math.huge
  for _, target in ipairs(targets) do
    local at = target.due
    if target.behind then at = heads_all(LANES, target.lanes, event_id) and now or math.huge end
    due = math.min(due, at)
  end
  return due
end

return each(3, function(EVENT, pass)
  if not stands(LEASES, pass.id, pass.token) then return {state = 'stale'} end
  local seq, old_status, key_lanes = unpack(redis.call('HMGET', EVENT, 'seq', 'status', 'lanes'))
  local left = {}
  local open = store_targets(EVENT, pass, seq, left)
  if old_status == 'RECEIVED' then
    for _, lane in ipairs(leave_all(LANES, cjson.decode(key_lanes), seq, pass.id)) do left[#left + 1] = lane end
  end

  local status, runnable = #open > 0 and 'ROUTED' or 'DONE', {}
  redis.call('HSET', EVENT, 'status', status, 'reason', pass.reason)
  if pass.considered ~= '' then redis.call('HSETNX', EVENT, 'considered', pass.considered) end
  redis.call('HDEL', LEASES, pass.id)
  if status == 'DONE' then
    redis.call('ZREM', OPEN, pass.id)
    redis.call('PEXPIRE', EVENT, pass.retention)
  else
    local due = earliest(open, pass.id)
    redis.call('ZADD', OPEN, due == math.huge and 'inf' or string.format('%d', due), pass.id)
    if due <= now then runnable[1] = pass.id end
  end
  for _, lane in ipairs(left) do
    local head = lane_head(LANES, lane)
    -- One that is leased sees the free lane when its own pass ends.
    if head and head ~= pass.id and not holder(LEASES, head, now) then
      redis.call('ZADD', OPEN, 'XX', now, head)
      runnable[#runnable + 1] = head
    end
  end
  return {state = 'ok', status = status, runnable = runnable}
end)
