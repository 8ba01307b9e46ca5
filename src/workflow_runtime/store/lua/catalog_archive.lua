-- KEYS as in _triggers.lua. ARGV: workflow id, now, 'archive' or 'restore', then for restoring: trigger JSON, event name.
-- Answers 1, or 0 when there is no such workflow.
if redis.call('EXISTS', WORKFLOW) == 0 then return 0 end
local id = ARGV[1]
redis.call('HSET', WORKFLOW, 'updatedAt', ARGV[2])
if ARGV[3] == 'archive' then
  redis.call('HSETNX', WORKFLOW, 'archivedAt', ARGV[2])
  unset_trigger(id)
else
  redis.call('HDEL', WORKFLOW, 'archivedAt')
  set_trigger(id, ARGV[4], ARGV[5])
end
return 1
