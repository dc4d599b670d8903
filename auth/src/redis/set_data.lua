-- ARGV: now, sid, `data` or `client_data`, that as it is thought to be or '', as it is to be or ''. Returns
-- `changed` and the record; or `found` and the record, if there is one, when it is not live or its data
-- is not what was thought.
local record, kind = redis.call('HGET', KEYS[1], ARGV[2]), ARGV[3]
if not record then return { 'found' } end
local session = cjson.decode(record)
if not is_live(session) or (session[kind] or '') ~= ARGV[4] then return { 'found', record } end
session[kind] = nil
if ARGV[5] ~= '' then session[kind] = ARGV[5] end
record = cjson.encode(session)
redis.call('HSET', KEYS[1], ARGV[2], record)
return { 'changed', record }
