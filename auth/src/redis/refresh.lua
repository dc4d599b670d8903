-- ARGV: now, sid, the token's jti, its time of issue in milliseconds, the new jti, idle timeout in
-- milliseconds or '', tombstones to keep, `use` if it extends the idle deadline. Returns `found`, with the record if one exists that is not
-- live; `changed` and the record; or `ended` and the record, if an old token was reused.

-- How long the old token stays valid after a refresh, in milliseconds: REFRESH_GRACE in refresh.rs.
local refresh_grace = 30000

local sid, jti, issued = ARGV[2], ARGV[3], tonumber(ARGV[4])
local record = redis.call('HGET', KEYS[1], sid)
if not record then return { is_closed() and 'moved' or 'found' } end
local session = cjson.decode(record)
if not is_live(session) then return { 'found', record } end

local last = session.refreshed
local is_recent = last and now < last + refresh_grace
local is_current = jti == session.jti or not last or math.floor(issued / 1000) > math.floor(last / 1000)
local is_previous = jti == session.previous_jti and (is_recent or session.unused)

if not is_current and not is_previous then
  local all, old = records()
  for _, other in ipairs(all) do
    if other.sid == sid then record = finish({ other }, { why = 'reused', at = now }, {})[1] end
  end
  forget(old)
  tidy(all, tonumber(ARGV[7]))
  return { 'ended', record }
end

if is_recent then
  if not session.unused or jti ~= session.jti then return { 'changed', record } end
  session.unused = nil
else
  if is_current then session.previous_jti, session.jti, session.unused = jti, ARGV[5], true end
  session.refreshed = now
  if ARGV[8] == 'use' then
    session.seen = now
    local timeout = session.idle_timeout or tonumber(ARGV[6])
    if timeout then session.idle_expires = now + timeout end
  end
end
record = cjson.encode(session)
redis.call('HSET', KEYS[1], sid, record)
return { 'changed', record }
