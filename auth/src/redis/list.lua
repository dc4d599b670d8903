-- ARGV: now. Returns the records of the live sessions, oldest first; or `moved`.
if is_closed() then return { 'moved' } end
local live = {}
for _, session in ipairs((records())) do
  if is_live(session) then live[#live + 1] = cjson.encode(session) end
end
return live
