-- KEYS: runs that count against the workflow's limit, then what a run can leave behind. ARGV: run id.
-- Answers 1 when it left nothing.
redis.call('SREM', KEYS[1], ARGV[1])
return redis.call('EXISTS', unpack(KEYS, 2)) == 0 and 1 or 0
