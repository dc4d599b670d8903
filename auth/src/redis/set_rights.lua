-- Changes rights. ARGV: now, sid or '' for the user, then for each member its JSON, `null` to remove it, or ''
-- to leave it; tombstones to keep. Returns `changed` and the record; `found`, with the record if one exists
-- that is not live; or for the user `user`, the user's own record, and those of the live sessions.
local names = { 'roles', 'scopes', 'claims' }

-- The members are taken apart as text, because the JSON codec cannot tell an empty list from an empty
-- object. The first two are lists of strings, in which no member's name can stand before a colon, so each
-- name is found first where it is a member.
local function change(rights)
  local rest, members, parts = (rights or '{}'):sub(2, -2), {}, {}
  for i = #names, 1, -1 do
    local from, to = rest:find('"' .. names[i] .. '":', 1, true)
    if from then
      members[i] = rest:sub(to + 1)
      rest = rest:sub(1, math.max(from - 2, 0))
    end
  end
  for i, name in ipairs(names) do
    local member = ARGV[i + 2] ~= '' and ARGV[i + 2] or members[i]
    if member and member ~= 'null' then parts[#parts + 1] = '"' .. name .. '":' .. member end
  end
  if #parts == 0 then return nil end
  return '{' .. table.concat(parts, ',') .. '}'
end

if ARGV[2] ~= '' then
  local record = redis.call('HGET', KEYS[1], ARGV[2])
  if not record then return { is_closed() and 'moved' or 'found' } end
  local session = cjson.decode(record)
  if not is_live(session) then return { 'found', record } end
  session.rights = change(session.rights)
  record = cjson.encode(session)
  redis.call('HSET', KEYS[1], ARGV[2], record)
  return { 'changed', record }
end

if is_closed() then return { 'moved' } end
local all, old = records()
local fields, answer = {}, { 'user', '' }
for _, session in ipairs(all) do
  if is_live(session) then
    session.rights = change(session.rights)
    answer[#answer + 1] = cjson.encode(session)
    fields[#fields + 1], fields[#fields + 2] = session.sid, answer[#answer]
  end
end
user.rights = change(user.rights)
if user.rights then note_seen(seen or now) end
if user.rights or is_stored then write_user(fields) end
write(fields)
forget(old)
tidy(all, tonumber(ARGV[6]))
answer[2] = cjson.encode(user)
return answer
