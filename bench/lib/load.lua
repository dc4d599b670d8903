-- Sends requests with the `Authorization` values in a file, in turn, and prints wrk's results as JSON. Arguments: the
-- file, the number of requests (0: until the time is over), and the number of URLs to which each value is sent in turn.
local requests, index, remaining = {}, 0, 0

-- wrk can only stop after a given time. An interrupt stops it earlier.
local ffi = require('ffi')
ffi.cdef('int getpid(void); int kill(int pid, int signal);')
local interrupt = 2

function init(args)
  local credentials = {}
  for line in io.lines(args[1]) do
    credentials[#credentials + 1] = line
  end
  for address = 1, tonumber(args[3]) do
    local path = address == 1 and '/boats?of=mine' or '/boats?of=mine&page=' .. address
    for _, credential in ipairs(credentials) do
      wrk.headers['Authorization'] = credential ~= '' and credential or nil
      requests[#requests + 1] = wrk.format('GET', path)
    end
  end
  remaining = tonumber(args[2])
  if remaining > 0 then response = count end
end

function request()
  index = index % #requests + 1
  return requests[index]
end

function count()
  remaining = remaining - 1
  if remaining == 0 then ffi.C.kill(ffi.C.getpid(), interrupt) end
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    'JSON {"requests":%d,"micros":%d,"refused":%d,"broken":%d,"p50":%d,"p99":%d}',
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
