-- ARGV: 'after' or 'before', position, most events, most bytes.
local position, most, bytes = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local found, size = {}, 0
if ARGV[3] == 'before' and position <= 1 then
  return found
end
local next_id = ARGV[3] == 'after' and ('(' .. string.format('%.0f-0', position)) or ('(' .. string.format('%.0f-0', position))
while #found < most do
  local entries
  if ARGV[3] == 'after' then
    entries = redis.call('XRANGE', log, next_id, '+', 'COUNT', 16)
  else
    entries = redis.call('XREVRANGE', log, next_id, '-', 'COUNT', 16)
  end
  if #entries == 0 then
    break
  end
  for _, entry in ipairs(entries) do
    local row = { entry[1] }
    for field = 2, #entry[2], 2 do
      row[#row + 1] = entry[2][field]
    end
    size = size + #row[#row]
    if #found >= most or (size > bytes and #found > 0) then
      return found
    end
    found[#found + 1] = row
    next_id = '(' .. entry[1]
  end
end
return found
