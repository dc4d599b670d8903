-- Compare-and-set of a session's data. ARGV: now, sid, `data` or `client_data`, the expected value or '',
-- the new value or ''. Returns `changed` and the record; or `found`, with the record if one exists that
-- is not live or has other data.
local record, kind = redis.call('HGET', KEYS[1], ARGV[2]), ARGV[3]
if not record then return { is_closed() and 'moved' or 'found' } end
local session = cjson.decode(record)
if not is_live(session) or (session[kind] or '') ~= ARGV[4] then return { 'found', record } end
session[kind] = nil
if ARGV[5] ~= '' then session[kind] = ARGV[5] end
record = cjson.encode(session)
redis.call('HSET', KEYS[1], ARGV[2], record)
return { 'changed', record }
