-- ARGV: now, the ending as JSON, `one`, `others`, `issued` or `all`, sid or issuer, the issuer's
-- own sid or '', tombstones to keep. Returns two lists of records: the sessions that bear this very
-- ending, and those that were ended otherwise a moment ago.
local ending, which, ended, before = cjson.decode(ARGV[2]), ARGV[3], {}, {}
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
  local is = session.ended
  if is_chosen(session) then
    if is_live(session) then
      ended[#ended + 1] = finish(session, ending)
    elseif is and is.at == ending.at and is.why == ending.why and is.by == ending.by then
      ended[#ended + 1] = cjson.encode(session)
    elseif is and now < is.at + retold then
      before[#before + 1] = cjson.encode(session)
    end
  end
end
tidy(all, tonumber(ARGV[6]))
return { ended, before }
