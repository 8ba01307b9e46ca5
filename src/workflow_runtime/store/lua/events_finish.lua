-- Ends passes over events. KEYS: open, lanes, leases, runs not seen executing, then each event. Each: {id, token,
-- retention, considered ('' when it stands already), reason, launched, targets}, launched being ids of runs that Temporal
-- has, the targets those that were open when the pass began, as {id, state, final, behind, due, lanes}; retention and due
-- are in ms.
-- Answers {state = stale} or {state = ok, status = DONE | ROUTED, runnable}: ids of events that may go on now.
local OPEN, LANES, LEASES, UNLAUNCHED = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local now = now_ms()

-- Sorts targets: the open ones are answered, final ones leave their lanes, and the states of all go to fields.
local function settle(pass, seq, fields, left)
  local open = {}
  for _, target in ipairs(pass.targets) do
    fields[#fields + 1], fields[#fields + 2] = 't:' .. target.id, target.state
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

return each(4, function(EVENT, pass)
  -- Also when the claim was lost: what Temporal has it has.
  for _, run_id in ipairs(pass.launched) do redis.call('ZREM', UNLAUNCHED, run_id) end
  over(EVENT, pass.token)
  if not stands(LEASES, pass.id, pass.token) then return {state = 'stale'} end
  local seq, old_status, key_lanes = unpack(redis.call('HMGET', EVENT, 'seq', 'status', 'lanes'))
  local left, fields = {}, {}
  local open = settle(pass, seq, fields, left)
  if old_status == 'RECEIVED' then
    for _, lane in ipairs(leave_all(LANES, cjson.decode(key_lanes), seq, pass.id)) do left[#left + 1] = lane end
  end

  local status, runnable = #open > 0 and 'ROUTED' or 'DONE', {}
  for _, part in ipairs({'status', status, 'reason', pass.reason}) do fields[#fields + 1] = part end
  for from = 1, #fields, 1000 do
    redis.call('HSET', EVENT, unpack(fields, from, math.min(from + 999, #fields)))
  end
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
