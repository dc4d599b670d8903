-- ARGV: now, the ending as JSON, the selector (`one`, `others`, `issued` or `all`), sid or issuer, the
-- issuer's own sid or '', tombstones to keep. Returns two lists of records: the selected sessions that
-- have exactly this ending, from this call or a repeated one, and those that ended recently for another
-- reason.
local ending, selector, ended, ended_before = cjson.decode(ARGV[2]), ARGV[3], {}, {}
local all, old = records()
forget(old)
local function is_selected(session)
  if selector == 'one' then return session.sid == ARGV[4] end
  if selector == 'others' then return session.sid ~= ARGV[4] end
  if selector == 'issued' then
    return session.issuer == ARGV[4] and (ARGV[5] == '' or session.issuer_sid == ARGV[5])
  end
  return true
end
for _, session in ipairs(all) do
  local previous = session.ended
  if is_selected(session) then
    if is_live(session) then
      ended[#ended + 1] = finish(session, ending)
    elseif previous and previous.at == ending.at and previous.why == ending.why and previous.by == ending.by then
      ended[#ended + 1] = cjson.encode(session)
    elseif previous and now < previous.at + repeat_end_events then
      ended_before[#ended_before + 1] = cjson.encode(session)
    end
  end
end
tidy(all, tonumber(ARGV[6]))
return { ended, ended_before }
