-- ARGV: turn, trace, holder, event. Ends a turn whose writer is gone, if it still runs here.
local row = redis.call('HMGET', session, 't', 'run', 'h')
if row[1] == ARGV[3] and row[2] == '1' and row[3] == ARGV[5] then
  append(ARGV[3], ARGV[4], 'error', ARGV[6])
  finish()
  return 1
end
return 0
