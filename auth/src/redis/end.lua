-- ARGV: now, the ending as JSON, the selector (`one`, `others`, `issued`, `matching`, `all` or `none`), sid,
-- issuer or the criteria as JSON, the issuer's own sid or '', tombstones to keep; the sid of a session to deny if it is unknown or '', and
-- until when; `bar` to keep out sessions that began before now, or ''; the user's block as JSON, `lift`, or
-- ''. Returns two lists of records: the selected sessions that have exactly this ending, from this call or
-- a repeated one, and those that ended recently for another reason.

-- How long an end is reported again, in milliseconds: REPEAT_END_EVENTS in store.rs.
local repeat_end_events = 600000

local ending, selector, to_end, ended_before = cjson.decode(ARGV[2]), ARGV[3], {}, {}
local unseen, fields, is_known = ARGV[7], {}, false
local criteria = selector == 'matching' and cjson.decode(ARGV[4])
local function is_among(list, name)
  for _, it in ipairs(list or {}) do
    if it == name then return true end
  end
  return not list
end
-- As `unused_since` in session.rs.
local function unused_since(session)
  local timeout = math.max(0, (session.idle_expires or session.seen) - session.seen)
  return session.seen + math.ceil(timeout / 10)
end
local function meets(session)
  return session.sid ~= criteria.except
    and is_among(criteria.sids, session.sid)
    and is_among(criteria.issuers, session.issuer)
    and is_among(criteria.devices, session.device)
    and (not criteria.created_before or session.created < criteria.created_before)
    and (not criteria.unused_since or unused_since(session) <= criteria.unused_since)
end
local function is_selected(session)
  if criteria then return meets(session) end
  if selector == 'one' then return session.sid == ARGV[4] end
  if selector == 'others' then return session.sid ~= ARGV[4] end
  if selector == 'issued' then
    return session.issuer == ARGV[4] and (ARGV[5] == '' or session.issuer_sid == ARGV[5])
  end
  return selector == 'all'
end
if is_closed() then return { 'moved' } end
local all, old = records()
for _, session in ipairs(all) do
  local previous = session.ended
  is_known = is_known or session.sid == unseen
  if is_selected(session) then
    local has_ending = previous and previous.at == ending.at and previous.why == ending.why and previous.by == ending.by
    -- The next token of a session that has lapsed would begin it anew.
    if is_live(session) or has_ending or not previous and lapses(session) then
      to_end[#to_end + 1] = session
    elseif previous and now < previous.at + repeat_end_events then
      ended_before[#ended_before + 1] = cjson.encode(session)
    end
  end
end

is_known = is_known or denials['!' .. unseen]
for _, it in ipairs(old) do is_known = is_known or it.field == unseen and it.denial end
local deny_until = tonumber(ARGV[8])
if unseen ~= '' and not is_known and now < deny_until then
  note_seen(now)
  denials['!' .. unseen] = deny_until
  fields = { '!' .. unseen, string.format('{"until":%.0f,"ended":%s}', deny_until, cjson.encode(ending)) }
end
if ARGV[10] ~= '' then
  user.block = nil
  if ARGV[10] ~= 'lift' then user.block = cjson.decode(ARGV[10]) end
end
if ARGV[9] == 'bar' then
  user.not_before = math.max(user.not_before or 0, now)
  user.spared = nil
  if selector == 'others' then user.spared = ARGV[4] end
  note_seen(now)
end
if ARGV[9] == 'bar' or is_stored and ARGV[10] ~= '' then write_user(fields) end

local ended = finish(to_end, ending, fields)
forget(old)
tidy(all, tonumber(ARGV[6]))
return { ended, ended_before }
