// SPDX-License-Identifier: BSD-2-Clause
// The same as sleeper.c, in Java.
import java.io.File;
import java.io.RandomAccessFile;
import java.net.ServerSocket;
import java.net.Socket;

public class Sleeper {
    static final Object quota = new Object();
    static volatile long parsed;

    static void writeAuditLog() throws Exception {
        File file = File.createTempFile("sleeper", null);
        file.deleteOnExit();
        RandomAccessFile log = new RandomAccessFile(file, "rw");
        for (;;) {
            log.write('x');
            log.getFD().sync();
        }
    }

    static void waitForQuota() {
        synchronized (quota) {
            parsed = 1;
        }
    }

    static void callBackend() throws Exception {
        ServerSocket server = new ServerSocket(0);
        Socket ours = new Socket("localhost", server.getLocalPort());
        ours.getInputStream().read();
    }

    static void spinParse() {
        for (;;) {
            parsed = parsed * 31 + 7;
        }
    }

    static void handleRequest(String what) throws Exception {
        if (what.equals("write")) writeAuditLog();
        if (what.equals("lock")) waitForQuota();
        if (what.equals("recv")) callBackend();
        if (what.equals("spin")) spinParse();
    }

    public static void main(String[] arguments) throws Exception {
        Thread thread = new Thread(() -> {
            try {
                handleRequest(arguments[0]);
            } catch (Exception e) {
                throw new RuntimeException(e);
            }
        }, "handler");
        synchronized (quota) {
            thread.start();
            System.out.println("ready");
            thread.join();
        }
    }
}
