-- Returns a record after a check. Extends the idle deadline, at most once per tenth of the session's own
-- timeout or else this one, in milliseconds, 0 for none, nil if the session is not used; and marks a
-- refreshed token as used, if it has this jti.
local function touch(record, sid, timeout, jti)
  -- A plain search suffices: inside a JSON string, the quotation marks would be escaped.
  local is_unused = jti and record:find('"unused":true', 1, true)
  local has_own = timeout and record:find('"idle_timeout":', 1, true)
  if (timeout or 0) == 0 and not is_unused and not has_own then return record end
  local session = cjson.decode(record)
  timeout = timeout and session.idle_timeout or timeout or 0
  local extends_idle = timeout > 0 and now - session.seen >= timeout / 10
  local is_first_use = is_unused and session.unused and session.jti == jti
  if not is_live(session) or not (extends_idle or is_first_use) then return record end
  if is_first_use then session.unused = nil end
  if extends_idle then session.seen, session.idle_expires = now, now + timeout end
  local changed = cjson.encode(session)
  local reply = redis.pcall('HSET', KEYS[1], sid, changed)
  local failure = type(reply) == 'table' and reply.err
  if failure then
    -- If Redis is full, the check succeeds and the session stays as it is. Upstash's error for this
    -- is `quota exceeded`.
    if failure:find('OOM', 1, true) or failure:find('quota exceeded', 1, true) then return record end
    return reply
  end
  if session.deny_until then
    local last = forget_at(session)
    if not lapses(session) then
      last = math.max(last, session.deny_until < far_future and session.deny_until or now + unseen_for)
    end
    -- What keeps others out lasts as long as the user is seen.
    if redis.call('HEXISTS', KEYS[1], '!') == 1 then last = math.max(last, now + unseen_for) end
    extend(last - now)
  end
  return changed
end
