-- ARGV: turn, holder, lease ms. A turn that has been handed on five times is not handed on again.
-- Nobody holds the turn any more; it is not over before somebody could take it. Answers how often it was handed on.
local row = redis.call('HMGET', session, 't', 'run', 'h', 'stop', 'over', 'by')
if row[1] == ARGV[3] and row[2] == '1' and row[3] == '' and row[6] == ARGV[4] then
  return tonumber(row[5])
end
if row[1] ~= ARGV[3] or row[2] ~= '1' or row[3] ~= ARGV[4] or row[4] or tonumber(row[5] or '0') >= 5 then
  return 0
end
redis.call('HSET', session, 'h', '', 'by', ARGV[4], 'x', now + tonumber(ARGV[5]))
return redis.call('HINCRBY', session, 'over', 1)
