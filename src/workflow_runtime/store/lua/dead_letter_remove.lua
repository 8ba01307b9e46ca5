-- Removes a dead letter and writes down who did. KEYS: dead-letter stream, sources, audit stream.
-- ARGV: id, source ('' when unknown), longest audit, then names and values of the audit entry. Answers how many were removed.
local removed = redis.call('XDEL', KEYS[1], ARGV[1])
if ARGV[2] ~= '' then redis.call('HDEL', KEYS[2], ARGV[2]) end
if removed == 1 then
  local fields = {}
  for i = 4, #ARGV do fields[i - 3] = ARGV[i] end
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[3], '*', unpack(fields))
end
return removed
