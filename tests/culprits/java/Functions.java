// SPDX-License-Identifier: BSD-2-Clause
// A Java server whose handler is stuck in a method of a known name; a line of JSON each way, see ../hosted_functions.cpp.
// Run with: java Functions.java writeAuditLog|waitForQuota|callBackend|spinParse BACKEND FILE

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

public class Functions {
    // Often enough that the compiler has every method, so that the frames are those of machine code.
    static final int REHEARSALS = 20_000;
    static final long ROUNDS = 1_000;
    static final Object quota = new Object();
    static volatile long parsed;
    static Socket session;    // still held, as in a leak

    public static void main(String[] args) throws Exception {
        String mode = args[0];
        int backend = Integer.parseInt(args[1]);
        for (int i = 0; i < REHEARSALS; i++) handleRequest(mode, backend, args[2], true);
        ServerSocket listener = new ServerSocket(0, 128, InetAddress.getByName("127.0.0.1"));
        if (mode.equals("waitForQuota")) startRefiller(backend);
        start("acceptor", () -> serve(listener, mode, backend, args[2]));
        say("{\"port\":" + listener.getLocalPort() + "}");
        BufferedReader orders = new BufferedReader(new InputStreamReader(System.in));
        while ("close".equals(orders.readLine())) {
            Thread.currentThread().setName("orders");
            session.close();
            say("{\"closed\":1,\"thread\":\"orders\"}");
        }
        Runtime.getRuntime().halt(0);
    }

    static synchronized void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    static void start(String name, Runnable body) {
        Thread thread = new Thread(body, name);
        thread.setDaemon(true);
        thread.start();
    }

    static void serve(ServerSocket listener, String mode, int backend, String file) {
        try {
            session = listener.accept();
            start("handler", () -> {
                read(session);
                say("{\"accepted\":1,\"thread\":\"handler\"}");
                handleRequest(mode, backend, file, false);
            });
        } catch (IOException e) {
            System.err.println(e);
        }
    }

    static void read(Socket session) {
        try {
            session.getInputStream().read();
        } catch (IOException e) {
            System.err.println(e);
        }
    }

    static void startRefiller(int backend) throws InterruptedException {
        Object locked = new Object();
        synchronized (locked) {
            start("refiller", () -> {
                synchronized (quota) {
                    synchronized (locked) {
                        locked.notify();
                    }
                    callBackend(backend, false);
                }
            });
            locked.wait();
        }
    }

    static void handleRequest(String mode, int backend, String file, boolean rehearsal) {
        switch (mode) {
            case "writeAuditLog": writeAuditLog(file, rehearsal); break;
            case "waitForQuota": waitForQuota(); break;
            case "callBackend": callBackend(backend, rehearsal); break;
            default: spinParse(rehearsal);
        }
    }

    static void writeAuditLog(String file, boolean rehearsal) {
        if (rehearsal) return;
        try (FileChannel log = FileChannel.open(Path.of(file), StandardOpenOption.WRITE)) {
            log.force(false);
        } catch (IOException e) {
            System.err.println(e);
        }
    }

    static void waitForQuota() {
        synchronized (quota) {
            parsed++;
        }
    }

    static void callBackend(int port, boolean rehearsal) {
        if (rehearsal) return;
        try (Socket backend = new Socket("127.0.0.1", port)) {
            backend.getOutputStream().write("question".getBytes());
            backend.getInputStream().read();
        } catch (IOException e) {
            System.err.println(e);
        }
    }

    static void spinParse(boolean rehearsal) {
        for (long i = 0; !rehearsal || i < ROUNDS / 100; i++) parsed = parsed * 31 + 7;
    }
}
