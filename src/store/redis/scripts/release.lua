-- ARGV: turn, holder, lease ms. A turn that has been handed on five times is not handed on again.
-- Nobody holds the turn any more; it is not over before somebody could take it.
local row = redis.call('HMGET', session, 't', 'run', 'h', 'stop', 'over')
if row[1] ~= ARGV[3] or row[2] ~= '1' or row[3] ~= ARGV[4] or row[4] or tonumber(row[5] or '0') >= 5 then
  return 0
end
redis.call('HSET', session, 'h', '', 'x', now + tonumber(ARGV[5]))
redis.call('HINCRBY', session, 'over', 1)
return 1
