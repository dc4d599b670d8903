-- ARGV: now, the ending as JSON, `one`, `others`, `issued` or `all`, sid or issuer, the issuer's
-- own sid or '', tombstones to keep. Returns the records of the sessions that it ended.
local ending, which, ended = cjson.decode(ARGV[2]), ARGV[3], {}
local all, old = records()
forget(old)
local function is_chosen(session)
  if which == 'one' then return session.sid == ARGV[4] end
  if which == 'others' then return session.sid ~= ARGV[4] end
  if which == 'issued' then
    return session.issuer == ARGV[4] and (ARGV[5] == '' or session.issuer_sid == ARGV[5])
  end
  return true
end
for _, session in ipairs(all) do
  if is_chosen(session) and is_live(session) then ended[#ended + 1] = finish(session, ending) end
end
tidy(all, tonumber(ARGV[6]))
return ended
