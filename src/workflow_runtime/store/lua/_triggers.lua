-- KEYS: workflow, index of workflows, versions, trigger table, trigger index. An entry of the trigger index is
-- '<event name>\n<workflow id>', so that all workflows of an event are one range; the row remembers its own entry.
local WORKFLOW, WORKFLOWS, VERSIONS, TRIGGERS, BY_EVENT = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]

local function unset_trigger(id)
  local entry = redis.call('HGET', WORKFLOW, 'triggerEntry')
  if entry then redis.call('ZREM', BY_EVENT, entry) end
  redis.call('HDEL', WORKFLOW, 'triggerEntry')
  redis.call('HDEL', TRIGGERS, id)
end

-- trigger is its JSON or '', event_name is '' when it is not an event trigger.
local function set_trigger(id, trigger, event_name)
  unset_trigger(id)
  if trigger == '' then return end
  redis.call('HSET', TRIGGERS, id, trigger)
  if event_name == '' then return end
  local entry = event_name .. '\n' .. id
  redis.call('ZADD', BY_EVENT, 0, entry)
  redis.call('HSET', WORKFLOW, 'triggerEntry', entry)
end
