-- Notes that passes failed by what they tried, though their process lives. KEYS: the event of each. ARGV: the token of each.
for i, event in ipairs(KEYS) do
  local what = redis.call('HGET', event, 'p:' .. ARGV[i])
  if what then
    redis.call('HDEL', event, 'p:' .. ARGV[i])
    redis.call('HSET', event, 'p:/' .. ARGV[i], what)
  end
end
