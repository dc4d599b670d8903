-- Begins a session with the user's rights, and ends those that are named and those beyond the limit.
-- ARGV: now, the new session as JSON, the limit (0: none), the class of device that counts or '' for
-- all, `evict` or `refuse`, the lifetime of tokens in milliseconds, tombstones to keep. Returns the
-- session's record and those of the superseded sessions; or nil and those of the sessions that use up
-- the limit.
local function begin(found, old, to_end)
  local new, limit, class, evicts = cjson.decode(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5] == 'evict'
  local token_ttl, all, evictable, others = tonumber(ARGV[6]), {}, {}, {}
  for _, session in ipairs(found) do
    -- The record of a session that begins anew is replaced.
    if session.sid ~= new.sid then all[#all + 1] = session end
    local counts = class == '' or session.device == class
    if is_live(session) and counts and not to_end[session.sid] then
      -- Sessions whose last token has expired are evicted first, then the oldest. A provider refreshes
      -- the tokens of its own.
      local is_unusable = not session.deny_until and now >= (session.refreshed or session.created) + token_ttl
      local list = is_unusable and evictable or others
      list[#list + 1] = session
    end
  end
  local excess = limit > 0 and math.max(#evictable + #others + 1 - limit, 0) or 0
  if excess > #evictable and not evicts then
    local full = {}
    for i, session in ipairs(others) do full[i] = cjson.encode(session) end
    return nil, full
  end
  for _, session in ipairs(others) do evictable[#evictable + 1] = session end
  for i = 1, excess do to_end[evictable[i].sid] = true end
  local superseded = {}
  for _, session in ipairs(all) do
    if is_live(session) and to_end[session.sid] then superseded[#superseded + 1] = session end
  end

  local record = ARGV[2]
  if user.rights then
    new.rights = user.rights
    record = cjson.encode(new)
  end
  -- The first write, so that a login changes nothing if Redis is full.
  local ended = finish(superseded, { why = 'superseded', at = now, by = new.device }, { new.sid, record })
  forget(old, new.sid)
  seen = math.max(seen or 0, new.seen)
  all[#all + 1] = new
  tidy(all, tonumber(ARGV[7]))
  return record, ended
end
