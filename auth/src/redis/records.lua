-- How often `seen` of the user's record is updated, in milliseconds: SEEN_ONCE_IN in user_record.rs.
local seen_once_in = 86400000

-- The user's record, whether it is stored and must be written; the denials, as the moments until which
-- they are kept, by field; when the user was last seen; and until when moves between stores are remembered.
local user, is_stored, is_changed, denials, seen, moves_until = {}, false, false, {}, nil, 0

local function read_user(text)
  user, is_stored = cjson.decode(text), true
  seen = math.max(seen or 0, user.seen or 0)
end

-- When what is kept until this moment is deleted: what has no end, a year after the user was last seen.
local function kept_until(moment)
  return seen and moment >= far_future and seen + unseen_for or moment
end

-- The denial that is left of a session that is over, or nil. Written by hand, because digits matter.
local function denial(session)
  if not session.deny_until or not session.ended and lapses(session) then return nil end
  local why = session.ended and '"ended":' .. cjson.encode(session.ended)
    or string.format('"expired":%.0f', deadline(session))
  return string.format('{"until":%.0f,', session.deny_until) .. why .. '}'
end

local function denied_until(text)
  return tonumber(text:match('"until":(%d+)'))
end

-- Returns the records by age, and what to forget: records that are past retention or stored under
-- another sid, and denials that are over. Sorted because the order of a hash's fields is undefined.
local function records()
  local all, found, old = redis.call('HGETALL', KEYS[1]), {}, { denials = {} }
  for i = 1, #all, 2 do
    local field, text = all[i], all[i + 1]
    if field == '!' then
      read_user(text)
    elseif field == '!>' then
      moves_until = tonumber(text:match('"until":(%d+)'))
    elseif field:sub(1, 1) == '!' then
      denials[field] = denied_until(text)
    else
      local session = cjson.decode(text)
      seen = math.max(seen or 0, session.seen)
      if session.sid == field and now < forget_at(session) then
        found[#found + 1] = session
      else
        old[#old + 1] = { field = field, session = session }
      end
    end
  end
  for field, moment in pairs(denials) do
    if now >= kept_until(moment) then old.denials[#old.denials + 1] = field end
  end
  for _, field in ipairs(old.denials) do denials[field] = nil end
  for _, it in ipairs(old) do
    local is_kept = it.session.deny_until and now < kept_until(it.session.deny_until)
    it.denial = is_kept and it.session.sid == it.field and denial(it.session)
  end
  table.sort(found, function(a, b)
    if a.created ~= b.created then return a.created < b.created end
    return a.sid < b.sid
  end)
  return found, old
end

-- Deletes a record, once its denial is written. Without memory for that, the record stays: it keeps the
-- session out, too.
local function delete(field, text, moment)
  if text then
    denials['!' .. field] = moment
    local reply = redis.pcall('HSET', KEYS[1], '!' .. field, text)
    if type(reply) == 'table' and reply.err then return end
  end
  redis.call('HDEL', KEYS[1], field)
end

-- Forgets what `records` has found, but for the field of a session that begins anew.
local function forget(old, new)
  for _, it in ipairs(old) do
    if it.field ~= new then delete(it.field, it.denial, it.session.deny_until) end
  end
  for _, field in ipairs(old.denials) do
    -- Not one that was written again.
    if not denials[field] then redis.call('HDEL', KEYS[1], field) end
  end
end

-- Writes fields and their values. If Redis is full, the first write of a script fails, and it changes
-- nothing.
local function write(fields)
  for i = 1, #fields, 1000 do
    redis.call('HSET', KEYS[1], unpack(fields, i, math.min(i + 999, #fields)))
  end
end

local function note_seen(at)
  if not user.seen or at >= user.seen + seen_once_in then user.seen, is_changed = at, true end
  seen = math.max(seen or 0, user.seen)
end

-- Adds the user's record to the fields to write.
local function write_user(fields)
  fields[#fields + 1], fields[#fields + 2] = '!', cjson.encode(user)
  is_changed, is_stored = false, true
end

-- Ends sessions, unless they have this ending, and writes these fields in the same step. Returns the
-- records as JSON. The tombstone of a provider's session must be written, or its next token would begin
-- it anew. If Redis has no memory for another, the record is deleted, because ending a session must not
-- need memory.
local function finish(sessions, ending, fields)
  local ended, others = {}, {}
  for i, session in ipairs(sessions) do
    local is_new = not session.ended
    session.ended = ending
    ended[i] = cjson.encode(session)
    if is_new and session.deny_until then
      fields[#fields + 1], fields[#fields + 2] = session.sid, ended[i]
    elseif is_new then
      others[#others + 1] = i
    end
  end
  write(fields)
  for _, i in ipairs(others) do
    local reply = redis.pcall('HSET', KEYS[1], sessions[i].sid, ended[i])
    if type(reply) == 'table' and reply.err then
      redis.call('HDEL', KEYS[1], sessions[i].sid)
      sessions[i].forgotten = true
    end
  end
  return ended
end

-- Deletes what has no effect any more from the user's record; all of it, if it keeps nobody out.
local function tidy_user()
  local block = user.block
  if block and block['until'] and now >= block['until'] then user.block, is_changed = nil, true end
  if user.not_before and now >= kept_until(far_future) then
    user.not_before, user.spared, is_changed = nil, nil, true
  end
  if next(denials) or user.block or user.not_before or user.rights then
    note_seen(seen or now)
    if is_changed then redis.pcall('HSET', KEYS[1], '!', cjson.encode(user)) end
  else
    if is_stored then redis.call('HDEL', KEYS[1], '!') end
    user = {}
  end
end

-- Keeps the newest `max_tombstones` records of sessions that are not live, and sets the key to expire
-- with the last that it holds.
local function tidy(all, max_tombstones)
  local dead, last = {}, 0
  for _, session in ipairs(all) do
    if not is_live(session) and not session.forgotten then
      dead[#dead + 1] = { at = session.ended and session.ended.at or deadline(session), session = session }
    end
  end
  table.sort(dead, function(a, b)
    if a.at ~= b.at then return a.at < b.at end
    return a.session.sid < b.session.sid
  end)
  for i = 1, #dead - max_tombstones do
    local session = dead[i].session
    local is_kept = session.deny_until and now < kept_until(session.deny_until)
    delete(session.sid, is_kept and denial(session), session.deny_until)
    session.forgotten = true
  end
  tidy_user()
  for _, session in ipairs(all) do
    if not session.forgotten then
      last = math.max(last, forget_at(session))
      if session.deny_until and (session.ended or not lapses(session)) then
        last = math.max(last, kept_until(session.deny_until))
      end
    end
  end
  for _, moment in pairs(denials) do last = math.max(last, kept_until(moment)) end
  if user.not_before then last = math.max(last, kept_until(far_future)) end
  if user.block then last = math.max(last, user.block['until'] or far_future) end
  last = math.max(last, moves_until)
  if user.rights or last >= far_future then
    redis.call('PERSIST', KEYS[1])
  elseif last > 0 then
    redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', last))
  end
end

-- Notes that a user was seen, but kept out: what keeps out must last while the provider goes on
-- refreshing.
local function note_kept_out()
  if user.seen and now >= user.seen + seen_once_in then
    user.seen = now
    redis.pcall('HSET', KEYS[1], '!', cjson.encode(user))
    extend(unseen_for)
  end
end

-- The answer to a user who is blocked, or nil.
local function blocked()
  local block = user.block
  if not block or block['until'] and now >= block['until'] then return nil end
  note_kept_out()
  return { 'blocked', cjson.encode(block) }
end
