-- Dead letters as they stand, names and values in turn. KEYS: dead-letter stream. ARGV: first id, last id, most.
-- Answers newest first when the first id is above the last.
if ARGV[1] == '+' or string.sub(ARGV[1], 1, 1) == '(' then
  return redis.call('XREVRANGE', KEYS[1], ARGV[1], ARGV[2], 'COUNT', ARGV[3])
end
return redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[2], 'COUNT', ARGV[3])
