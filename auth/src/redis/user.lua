-- ARGV: now. Returns `user`, the user's own record, and the records of the live sessions and then of those that are
-- over, oldest first. The latter come without their private data.
local answer, over = { 'user', '' }, {}
if is_closed() then return { 'moved' } end
for _, session in ipairs((records())) do
  if is_live(session) then
    answer[#answer + 1] = cjson.encode(session)
  else
    session.data, session.client_data = nil, nil
    over[#over + 1] = cjson.encode(session)
  end
end
for _, record in ipairs(over) do answer[#answer + 1] = record end
answer[2] = cjson.encode(user)
return answer
