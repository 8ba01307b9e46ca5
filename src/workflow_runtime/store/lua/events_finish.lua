-- Ends one pass over an event. KEYS: event, open, lanes, leases.
-- ARGV: event id, token, retention ms, considered, reason, then one JSON object {id, state, final, behind, due, lanes} per
-- target that was open when the pass began; due is a time in ms.
-- Answers {stale} or {ok, DONE | ROUTED, event ids that may go on now...}.
local EVENT, OPEN, LANES, LEASES = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local event_id, now = ARGV[1], now_ms()
if not stands(LEASES, event_id, ARGV[2]) then return {'stale'} end
local seq, old_status, key_lanes = unpack(redis.call('HMGET', EVENT, 'seq', 'status', 'lanes'))

local targets, left = {}, {}
local function leave(names)
  for _, lane in ipairs(leave_all(LANES, names, seq, event_id)) do left[#left + 1] = lane end
end
for i = 6, #ARGV do
  local target = cjson.decode(ARGV[i])
  redis.call('HSET', EVENT, 't:' .. target.id, target.state)
  if target.final then
    leave(target.lanes)
  else
    enter_all(LANES, target.lanes, seq, event_id)
    targets[#targets + 1] = target
  end
end
if old_status == 'RECEIVED' then leave(cjson.decode(key_lanes)) end

local due = math.huge
for _, target in ipairs(targets) do
  local at = target.due
  if target.behind then at = heads_all(LANES, target.lanes, event_id) and now or math.huge end
  due = math.min(due, at)
end

local status = #targets > 0 and 'ROUTED' or 'DONE'
redis.call('HSET', EVENT, 'status', status, 'reason', ARGV[5])
redis.call('HSETNX', EVENT, 'considered', ARGV[4])
redis.call('HDEL', LEASES, event_id)
local answer = {'ok', status}
if status == 'DONE' then
  redis.call('ZREM', OPEN, event_id)
  redis.call('PEXPIRE', EVENT, ARGV[3])
else
  redis.call('ZADD', OPEN, due == math.huge and 'inf' or string.format('%d', due), event_id)
  if due <= now then answer[#answer + 1] = event_id end
end
for _, lane in ipairs(left) do
  local head = lane_head(LANES, lane)
  -- One that is leased sees the free lane when its own pass ends.
  if head and head ~= event_id and not holder(LEASES, head, now) then
    redis.call('ZADD', OPEN, 'XX', now, head)
    answer[#answer + 1] = head
  end
end
return answer
