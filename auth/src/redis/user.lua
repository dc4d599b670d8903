-- ARGV: now. Returns `user`, the user's own record, and the records of the live sessions, oldest first.
local answer = { 'user', '' }
for _, session in ipairs((records())) do
  if is_live(session) then answer[#answer + 1] = cjson.encode(session) end
end
answer[2] = cjson.encode(user)
return answer
