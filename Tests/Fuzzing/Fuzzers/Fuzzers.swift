import FuzzTargets

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// libFuzzer's loop, which feeds inputs to a callback until it finds one that ends the process.
@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ callback: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// The target of this run, from the environment: libFuzzer keeps the arguments to itself.
private let target: FuzzTarget = {
    guard let text = unsafe getenv("FUZZ_TARGET"), let target = unsafe FuzzTarget(rawValue: String(cString: text))
    else { fatalError("FUZZ_TARGET is one of \(FuzzTarget.allCases.map(\.rawValue))") }
    return target
}()

/// Feeds one input to the target.
///
/// libFuzzer's own entry point, which is linked and not used, asks for it by this name.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    do {
        try target.run(input)
    } catch {
        fatalError("\(target.rawValue): broken: \(error)")
    }
    return 0
}

/// Runs one target with libFuzzer's options and corpus folders.
@main
struct Fuzzers {
    static func main() {
        var count = CommandLine.argc
        var arguments = unsafe CommandLine.unsafeArgv
        exit(unsafe runFuzzer(&count, &arguments) { start, count in unsafe testOneInput(start, count) })
    }
}
