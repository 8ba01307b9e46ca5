-- Shared head of the scripts that read the event stream. One consumer at a time reads it: the order of acceptance is then
-- the order of the stream, and a reader that was frozen cannot read behind the back of its successor.

-- Answers 'mine' (the lease is extended), 'taken' (it is mine from now on) or nil (it is another's).
local function reader(key, consumer, lease_ms)
  local owner = redis.call('GET', key)
  if owner and owner ~= consumer then return nil end
  redis.call('SET', key, consumer, 'PX', lease_ms)
  return owner and 'mine' or 'taken'
end
