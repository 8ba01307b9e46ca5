-- KEYS end with the counter of the tenant's events: what the run may see of them later begins there, by no clock.
-- ARGV: 'create' | 'admit', run id, index member, created ms, payload JSON, JSON list of the row's fields and values.
-- Answers 'admitted' | 'queued' | 'ended' | 'missing' | 'archived', whether the row is new, and for one that is not when
-- it was created.
local mode, run_id, member, created_ms = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

if redis.call('EXISTS', ROW) == 1 then
  local status, queued, created_at = unpack(redis.call('HMGET', ROW, 'status', 'queuedReason', 'createdAt'))
  if queued then return {'queued', 0, created_at} end
  return {TERMINAL[status] and 'ended' or 'admitted', 0, created_at}
end

local reason = nil
if mode == 'admit' then
  if redis.call('EXISTS', WORKFLOW) == 0 then return {'missing', 0} end
  if redis.call('HEXISTS', WORKFLOW, 'archivedAt') == 1 then return {'archived', 0} end
  reason = hindrance()
  if not reason and redis.call('EXISTS', QUEUE) == 1 then reason = 'concurrency' end
end

redis.call('SET', PAYLOAD, ARGV[5])
local seen = tonumber(redis.call('GET', KEYS[#KEYS]) or 0)
redis.call('HSET', LEDGER, 'eventsFrom', string.format('%d', seen + 1))
redis.call('HSET', ROW, 'indexMember', member, unpack(cjson.decode(ARGV[6])))
redis.call('ZADD', ALL, 0, member)
redis.call('ZADD', OF_WORKFLOW, 0, member)
index_status(member, redis.call('HGET', ROW, 'status'))
if redis.call('HEXISTS', ROW, 'parentRunId') == 1 then redis.call('ZADD', SIBLINGS, created_ms, run_id) end

if reason then
  set_status('WAITING')
  redis.call('HSET', ROW, 'queuedReason', reason)
  redis.call('ZADD', QUEUE, redis.call('HINCRBY', WORKFLOW, 'queueSequence', 1), run_id)
  redis.call('SADD', QUEUES, redis.call('HGET', ROW, 'workflowId'))
  return {'queued', 1}
end
if mode == 'admit' then redis.call('SADD', ACTIVE, run_id) end
redis.call('ZADD', UNLAUNCHED, created_ms, run_id)
return {'admitted', 1}
