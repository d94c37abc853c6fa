-- ARGV: turn, trace, holder, lease ms, index, text offset (or -1), text, most events, most text bytes, how many events, ends (0 or 1),
-- then kind and data of each event.
local turn, trace, holder = ARGV[3], ARGV[4], ARGV[5]
local lease, index, offset, delta = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9]
local most, longest, count, ends = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12]), ARGV[13] == '1'

local row = redis.call('HMGET', session, 'q', 't', 'ts', 'run', 'h', 'stop')
local there = row[2] == turn and tonumber(row[1]) - tonumber(row[3]) + 1 or 0
if not (row[2] == turn and row[4] == '1' and row[5] == holder) then -- fence
  -- Perhaps it was this very write that ended the turn. Nothing was written to the session since, or it counts for nothing.
  if row[2] == turn and row[4] ~= '1' and count > 0 and index + count <= there then
    local last = redis.call('XRANGE', log, (tonumber(row[3]) + index + count - 1) .. '-0', '+', 'COUNT', 1)[1]
    for field = 1, last and #last[2] or 0, 2 do
      if last[2][field] == 'd' and last[2][field + 1] == ARGV[13 + 2 * count] then
        return { 'done', 0 }
      end
    end
  end
  return { 'fenced' }
end
if index > there then
  -- Events of this turn are missing: the log is not the one its writer knew.
  return { 'fenced' }
end
local fresh = count - math.max(there - index, 0) -- repeated
if fresh > 0 and not ends and tonumber(row[1]) + fresh + 1 > most then
  return { 'full' }
end
redis.call('HSET', session, 'x', now + lease)
if offset >= 0 and #delta > 0 then
  local length = redis.call('STRLEN', text)
  if offset > length then -- offset
    return { 'hole', length }
  end
  local new = string.sub(delta, length - offset + 1)
  if length + #new > longest then
    return { 'large' }
  end
  if #new > 0 then
    redis.call('APPEND', text, new)
    if kept > 0 then
      redis.call('PEXPIRE', text, kept)
    end
    redis.call('PUBLISH', channel, 'T ' .. turn .. ' ' .. trace .. ' ' .. length .. ' ' .. new)
  end
end
for event = count - fresh + 1, count do
  append(turn, trace, ARGV[12 + 2 * event], ARGV[13 + 2 * event])
end
if fresh > 0 then
  if ends then
    finish()
  else
    keep()
  end
end
return { 'done', row[6] == turn and 1 or 0 }
