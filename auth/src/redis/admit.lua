-- ARGV: as of `begin`, then when the user logged in, and the idle timeout in milliseconds or 0. Returns
-- `found` and the record, `blocked` and the block, `denied` and the denial, `full` and the records of the
-- sessions that use up the limit, or `admitted`, the record and those of the superseded sessions.
local sid = cjson.decode(ARGV[2]).sid
local record = redis.call('HGET', KEYS[1], sid)
local known = record and cjson.decode(record)
if known and now < forget_at(known) and (known.ended or now < deadline(known) or not lapses(known)) then
  record = touch(record, sid, tonumber(ARGV[9]))
  return type(record) == 'table' and record or { 'found', record }
end

if is_closed() then return { 'moved' } end

-- Most who are kept out come again and again, which should not cost reading all records.
local kept, all, old = redis.call('HMGET', KEYS[1], '!', '!' .. sid), nil, nil
if kept[1] then read_user(kept[1]) end
if not seen or now >= seen + seen_once_in then all, old = records() end

local answer = blocked()
if answer then return answer end
local text = kept[2] or known and denial(known)
local is_denied = text and now < kept_until(denied_until(text))
if not is_denied and user.not_before and tonumber(ARGV[8]) <= user.not_before and user.spared ~= sid then
  is_denied = now < kept_until(far_future)
  text = string.format('{"until":%.0f,"ended":{"why":"revoked","at":%.0f}}', far_future, user.not_before)
end
if is_denied then
  if not user.seen then
    -- The record is due to be replaced by its denial.
    forget(old)
    tidy(all, tonumber(ARGV[7]))
  end
  note_kept_out()
  return { 'denied', text }
end

if not all then all, old = records() end
local begun, others = begin(all, old, {})
if not begun then return { 'full', unpack(others) } end
return { 'admitted', begun, unpack(others) }
