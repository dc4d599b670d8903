-- ARGV: a time in milliseconds. Returns the records of the sessions that were created, refreshed or
-- ended at exactly that time, oldest first; or `moved`.
if is_closed() then return { 'moved' } end
local changed = {}
for _, session in ipairs((records())) do
  local ended = session.ended and session.ended.at
  if session.created == now or session.refreshed == now or ended == now then
    changed[#changed + 1] = cjson.encode(session)
  end
end
return changed
