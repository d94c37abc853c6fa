-- ARGV: turn, holder, lease ms. Nobody holds the turn any more; it is not over before somebody could take it.
local row = redis.call('HMGET', session, 't', 'run', 'h', 'stop')
if row[1] ~= ARGV[3] or row[2] ~= '1' or row[3] ~= ARGV[4] or row[4] then
  return 0
end
redis.call('HSET', session, 'h', '', 'x', now + tonumber(ARGV[5]))
redis.call('HINCRBY', session, 'over', 1)
return 1
