-- Shared head of every run script. KEYS as listed by RunKeys.declared() in _run_keys.py.
local ROW, PAYLOAD, RECORDS, LEDGER, CHILDREN, SIBLINGS = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local ALL, OF_WORKFLOW, ENDED, UNLAUNCHED = KEYS[7], KEYS[8], KEYS[9], KEYS[10]
local WORKFLOW, ACTIVE, QUEUE, QUEUES = KEYS[11], KEYS[12], KEYS[13], KEYS[14]
local FIRST_STATUS = 15

local ORDINAL = {RUNNING = 0, WAITING = 1, SUCCEEDED = 2, FAILED = 3, CANCELED = 4}
local TERMINAL = {SUCCEEDED = true, FAILED = true, CANCELED = true}

local function status_indexes(status)
  local at = FIRST_STATUS + 2 * ORDINAL[status]
  return KEYS[at], KEYS[at + 1]
end

local function index_status(member, status)
  local all, of_workflow = status_indexes(status)
  redis.call('ZADD', all, 0, member)
  redis.call('ZADD', of_workflow, 0, member)
end

local function unindex_status(member, status)
  local all, of_workflow = status_indexes(status)
  redis.call('ZREM', all, member)
  redis.call('ZREM', of_workflow, member)
end

local function set_status(status)
  local old, member = unpack(redis.call('HMGET', ROW, 'status', 'indexMember'))
  if old ~= status then
    unindex_status(member, old)
    index_status(member, status)
    redis.call('HSET', ROW, 'status', status)
  end
end

local function leave_queue(run_id)
  if redis.call('ZREM', QUEUE, run_id) == 1 and redis.call('EXISTS', QUEUE) == 0 then
    redis.call('SREM', QUEUES, redis.call('HGET', ROW, 'workflowId'))
  end
  redis.call('HDEL', ROW, 'queuedReason')
end

-- Counts an end that says something about the workflow, and pauses the workflow when it fails too often. The latest
-- outcomes stand in the workflow's row as a text of S and F; a change of settings begins a new one.
local REMEMBERED = 100
local function note_outcome(status, ended_at)
  if status == 'CANCELED' then return end
  local on, paused, threshold, least, before = unpack(redis.call('HMGET', WORKFLOW,
    'autoPauseOnFailure', 'isPaused', 'failureRateThreshold', 'failureRateMinRuns', 'recentOutcomes'))
  if on ~= 'true' then return end
  local outcomes = string.sub((before or '') .. string.sub(status, 1, 1), -REMEMBERED)
  redis.call('HSET', WORKFLOW, 'recentOutcomes', outcomes)
  local _, failed = string.gsub(outcomes, 'F', '')
  if status ~= 'FAILED' or paused == 'true' or #outcomes < tonumber(least or '10') then return end
  if failed / #outcomes < tonumber(threshold or '0.5') then return end
  local reason = failed .. ' of the last ' .. #outcomes .. ' runs failed'
  redis.call('HSET', WORKFLOW, 'isPaused', 'true', 'pausedReason', reason, 'updatedAt', ended_at)
end

-- A run that ended keeps no slot, no place in the queue and nothing it waits for. One that ended before counts once.
local function set_ended(run_id, status, ended_at, ended_ms, had_ended)
  set_status(status)
  redis.call('HSET', ROW, 'endedAt', ended_at)
  redis.call('HDEL', ROW, 'currentStepPath', 'currentWait')
  redis.call('ZADD', ENDED, ended_ms, run_id)
  redis.call('SREM', ACTIVE, run_id)
  redis.call('ZREM', UNLAUNCHED, run_id)
  leave_queue(run_id)
  if not had_ended then note_outcome(status, ended_at) end
end

-- Why a start of this workflow has to wait, or nil.
local function hindrance()
  local paused, limit = unpack(redis.call('HMGET', WORKFLOW, 'isPaused', 'concurrencyLimit'))
  if paused == 'true' then return 'paused' end
  if limit and redis.call('SCARD', ACTIVE) >= tonumber(limit) then return 'concurrency' end
  return nil
end
